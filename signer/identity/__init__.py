"""What a person proves when signing in, and the one secret of the web pages; knows no register and no request."""
