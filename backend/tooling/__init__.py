"""What the project is built and checked with. None of it is shipped."""
