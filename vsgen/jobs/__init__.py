"""What each command does, from the user's options to the files that it leaves."""
