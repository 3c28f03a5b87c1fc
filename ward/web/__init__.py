"""HTTP: API, authentication, event stream and the dashboard's files."""
