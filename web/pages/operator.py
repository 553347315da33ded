"""The operator's pages: is the data fresh, are the jobs done, is the model still right?"""
