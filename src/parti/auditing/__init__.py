"""The canary audit: marked text is planted wherever strangers may write, and looked for wherever they may not."""
