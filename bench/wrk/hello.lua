-- Whatever the server says.
wrk.path = "/"
