"""Certificates and seals: make them, keep their keys, and judge them. The only room that knows pyHanko or X.509."""
