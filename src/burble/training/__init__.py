"""How a network learns. The only home of torch."""
