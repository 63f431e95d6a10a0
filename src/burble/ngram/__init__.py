"""Count the n-grams of a text and predict from them: interpolated, modified Kneser-Ney."""
