"""The shapes of requests and answers. They are written out, so that no column becomes an input by accident."""
