"""How a network learns: natively or with torch, which `learners/torch` alone imports."""
