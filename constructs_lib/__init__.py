"""The capabilities of the platform, one file each: network, database, web app, alerts and so on."""
