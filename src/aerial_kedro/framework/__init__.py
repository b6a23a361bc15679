"""What this project adds to Kedro: configuration, context, session, run parameters."""
