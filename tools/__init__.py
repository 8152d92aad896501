"""What the commands ./run and ./test share. Standard library only: nothing is installed yet when it starts."""
