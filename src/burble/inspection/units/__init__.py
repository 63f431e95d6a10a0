"""Single units: which of them track something, what they are worth, what they are like."""
