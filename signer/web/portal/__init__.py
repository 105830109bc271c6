"""The pages behind a sign-in: doors that know who may open them, and a frame around every page."""
