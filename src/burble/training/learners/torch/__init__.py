"""The learner that computes with torch. Nothing else in burble imports torch."""
