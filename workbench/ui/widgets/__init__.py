"""Pure functions from results to a Plotly figure or to escaped HTML."""
