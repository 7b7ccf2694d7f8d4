"""Entropy and its family, right to the last digits, on the arrays of any library."""
