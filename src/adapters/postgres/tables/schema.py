from sqlalchemy import MetaData

SCHEMA = "langroute"
METADATA = MetaData(schema=SCHEMA)
