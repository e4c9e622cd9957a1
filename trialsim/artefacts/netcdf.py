"""A NetCDF file looked over before it is opened. HDF5 can point to other files, and stand for more than it holds."""

from __future__ import annotations

from pathlib import Path

from trialsim.schema import ConfigError

LARGEST = 8 * 2**30  # bytes of all arrays, unpacked
GROUPS = 1000


def check_netcdf(path: Path) -> None:
    """See that a file is HDF5, all of its arrays are its own, and they fit into memory.

    Raises:
        ConfigError: names the file.
    """
    import h5py

    refused = lambda allowed: ConfigError(path.name, str(path), allowed)
    if not path.is_file():
        raise refused("a file that exists")
    size, seen = 0, 0
    try:
        with h5py.File(path, "r") as file:
            groups = [file]
            while groups:
                group = groups.pop()
                seen += 1
                if seen > GROUPS:  # also where groups hold one another
                    raise refused(f"at most {GROUPS} groups")
                for name in group:
                    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                        raise refused(f"a file without links; {name} is one")
                    item = group[name]
                    if isinstance(item, h5py.Group):
                        groups.append(item)
                    elif isinstance(item, h5py.Dataset):
                        if item.external or item.is_virtual:
                            raise refused(f"a file that holds its own data; {name} is in another")
                        size += item.size * item.dtype.itemsize if item.size else 0
                        if size > LARGEST:
                            raise refused(f"arrays of at most {LARGEST:,} bytes in all")
    except ConfigError:
        raise
    except Exception as error:  # the library raises half a dozen types on a file that is none
        raise refused(f"a NetCDF file (HDF5) that can be read ({' '.join(str(error).split())})") from error
