"""What trainings say of accuracies: the posterior, its algebra, its priors, its forecasts."""
