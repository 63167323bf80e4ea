"""Fresh trainings of finalists beside controls, and the ledger of the test images."""
