"""What every request passes: the connection, its bounds, who may come in."""
