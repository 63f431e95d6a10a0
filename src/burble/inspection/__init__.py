"""Looking inside a trained model, through the engine."""
