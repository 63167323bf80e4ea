"""The study database: Optuna's part, our tables, and plain data out of them."""
