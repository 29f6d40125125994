"""HTTP services that an OpenAPI document describes: imported only once one is called."""
