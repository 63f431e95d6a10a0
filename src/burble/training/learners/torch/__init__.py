"""The learner that computes with torch; nothing else in burble imports it."""
