"""Thin HTTP: each route reads a request, calls one service function and writes the answer."""
