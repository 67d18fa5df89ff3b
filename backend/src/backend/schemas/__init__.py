"""The shapes of requests and responses. They share no code with the tables: a column is not an input field."""
