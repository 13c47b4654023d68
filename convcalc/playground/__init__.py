"""The playground: a folder of static files in which a browser counts a spec while it is written, without a server."""
