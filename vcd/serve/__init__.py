"""The HTTP service and its page: `vcd serve`. Everything here needs the extra `serve`.

`app` puts the routes together; `queries`, `references` and `page_files` answer them; `uploads` takes files in; `store`
keeps jobs in SQLite, `runner` does them with a `vcd.resident.ResidentLibrary`; `run` starts and stops it all.
"""
