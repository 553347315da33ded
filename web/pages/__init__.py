"""The pages, one module per kind of person; each has a `router` whose first dependency is `csrf.guard`."""
