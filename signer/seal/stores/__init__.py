"""Keys that are not in a file of ours: tokens and HSMs (PKCS#11), remote services (CSC), cloud key services."""
