"""Reading how data moves inside functions: an abstract interpreter over their syntax, field by field, running nothing."""
