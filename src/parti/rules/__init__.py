"""What `parti check` finds: one file for each rule, over the design and the flow of labels through it."""
