"""The project's commands and what stands behind them."""
