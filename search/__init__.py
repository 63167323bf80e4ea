"""Where everything meets: the command line, the driver, the workers, the training."""
