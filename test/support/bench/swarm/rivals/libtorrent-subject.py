"""A libtorrent session as a process that is measured; see subject-process.ts.

Usage: libtorrent-subject.py seed FILE TORRENT | get TORRENT FOLDER encrypted|plain
The torrent is of version 2 (merkle trees of SHA-256); no DHT, no local discovery, no port mapping.
"""

import json
import os
import sys
import time

import libtorrent as lt

PIECE_BYTES = 1 << 20


def tell(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


LOOPBACK = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    # Over TCP alone: on loopback uTP is many times slower.
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    "allow_multiple_connections_per_ip": True,
    "alert_mask": lt.alert.category_t.error_notification | lt.alert.category_t.status_notification,
}

ENCRYPTED = {
    "out_enc_policy": int(lt.enc_policy.forced),
    "allowed_enc_level": int(lt.enc_level.rc4),
    "prefer_rc4": True,
}

PLAIN = {"out_enc_policy": int(lt.enc_policy.disabled)}


def make_torrent(path, torrent):
    files = lt.file_storage()
    lt.add_files(files, path)
    creator = lt.create_torrent(files, PIECE_BYTES, lt.create_torrent_flags_t.v2_only)
    lt.set_piece_hashes(creator, os.path.dirname(path))
    with open(torrent, "wb") as file:
        file.write(lt.bencode(creator.generate()))


def seed(path, torrent):
    make_torrent(path, torrent)
    session = lt.session(LOOPBACK)
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
    params.save_path = os.path.dirname(path)
    params.flags |= lt.torrent_flags.seed_mode
    session.add_torrent(params)
    while session.listen_port() == 0:
        time.sleep(0.05)
    tell({"ready": {"port": session.listen_port()}})
    for _line in sys.stdin:
        pass


def fetch(session, torrent, folder, port):
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
    params.save_path = folder
    started = time.monotonic()
    handle = session.add_torrent(params)
    handle.connect_peer(("127.0.0.1", port))
    while not handle.status().is_seeding:
        for alert in session.pop_alerts():
            if isinstance(alert, lt.torrent_error_alert) or isinstance(alert, lt.file_error_alert):
                raise RuntimeError(alert.message())
        time.sleep(0.01)
    return time.monotonic() - started


def get(torrent, folder, mode):
    session = lt.session({**LOOPBACK, **(ENCRYPTED if mode == "encrypted" else PLAIN)})
    tell({"ready": {}})
    for line in sys.stdin:
        message = json.loads(line)
        try:
            seconds = fetch(session, torrent, folder, message["with"]["port"])
            tell({"id": message["id"], "answer": {"seconds": seconds}})
        except Exception as error:
            tell({"id": message["id"], "error": str(error)})


if sys.argv[1] == "seed":
    seed(*sys.argv[2:])
else:
    get(*sys.argv[2:])
