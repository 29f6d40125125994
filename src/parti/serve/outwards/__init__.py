"""What is exposed to programs outside by the protocols that they speak: each call is a run of an endpoint."""
