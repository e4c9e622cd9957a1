"""Several runs side by side: the record of a sweep (`record`), its runs read back (`runs`), how they differ (`differences`)."""
