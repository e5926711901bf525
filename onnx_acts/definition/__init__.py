"""What an activation is: the operator table, and everything that follows from it."""
