"""An OpenStack host: Cinder's driver for PowerFlex and os-brick as Debian has them, told by lines of JSON what to do.

A line of stdin is {"do": NAME, ...}; a line of stdout answers it: {"done": RESULT} or {"failed": CLASS, "message": TEXT}.
The one argument is a file with {"directory": for locks and the log, "backend": options of one back end in cinder.conf}.

Neither program is modified. Only for the SDC's kernel module something stands in: what os-brick asks it through ioctls of
/dev/scini is asked of drv_cfg, which the simulated SDC serves.
"""
import errno
import json
import os
import subprocess
import sys
import uuid

import os_brick
from os_brick import privileged
from os_brick.initiator import connector
from os_brick.privileged import scaleio
from oslo_config import cfg
from oslo_log import log

from cinder import context
from cinder import objects

objects.register_all()  # before the rest: it looks for them while it is imported
from cinder.volume import configuration
from cinder.volume.drivers.dell_emc.powerflex import driver

SUCCESS = (65).to_bytes(8, 'little')
QUERY_GUID, RESCAN = (ord('a') << 8 | number for number in (14, 10))
CONNECTOR = {'ip': '127.0.0.1'}


def drv_cfg(flag):
    command = ['/opt/emc/scaleio/sdc/bin/drv_cfg', flag]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def scini(_, request, argument):
    """The kernel module's answer to an ioctl."""
    if request == QUERY_GUID and len(argument) == 24:
        return SUCCESS + uuid.UUID(drv_cfg('--query_guid')).bytes
    if request == RESCAN and len(argument) == 8:
        drv_cfg('--rescan')
        return SUCCESS
    raise OSError(errno.ENOTTY, f'ioctl {request:#x} with {len(argument)} bytes')


scaleio.SCINI_DEVICE_PATH, scaleio.ioctl = os.devnull, scini


class Host:
    def __init__(self, directory, backend):
        log.register_options(cfg.CONF)
        cfg.CONF(['--log-file', f'{directory}/cinder.log', '--debug'], project='cinder', default_config_files=[])
        log.setup(cfg.CONF, 'cinder')
        cfg.CONF.set_override('lock_path', directory, group='oslo_concurrency')
        os_brick.setup(cfg.CONF)
        privileged.default.set_client_mode(False)  # this process is root
        self.context = context.get_admin_context()
        self.name = f"host@{backend['volume_backend_name']}"
        settings = configuration.Configuration(driver.powerflex_opts, backend['volume_backend_name'])
        self.driver = driver.PowerFlexDriver(configuration=settings, host=self.name)
        for name, value in backend.items():
            cfg.CONF.set_override(name, value, group=backend['volume_backend_name'])
        self.driver.do_setup(self.context)
        self.driver.check_for_setup_error()
        self.brick = connector.InitiatorConnector.factory('SCALEIO', 'sudo')
        self.known = {}

    def made(self, thing, updates):
        """Takes over what the driver says of something new, as Cinder's manager does."""
        for name, value in updates.items():
            setattr(thing, name, value)
        self.known[thing.id] = thing
        return {'id': thing.id, 'arrayId': thing.provider_id}

    def volume(self, pool, size):
        made = objects.Volume(self.context, id=str(uuid.uuid4()), size=size, host=f'{self.name}#{pool}', volume_type_id=None)
        made.snapshots = objects.SnapshotList(objects=[])
        return made

    def create(self, pool, size):
        volume = self.volume(pool, size)
        return self.made(volume, self.driver.create_volume(volume))

    def extend(self, volume, size):
        self.driver.extend_volume(self.known[volume], size)
        self.known[volume].size = size

    def snapshot(self, volume):
        source = self.known[volume]
        snapshot = objects.Snapshot(self.context, id=str(uuid.uuid4()), volume_id=volume, volume_size=source.size)
        snapshot.volume = source
        return self.made(snapshot, self.driver.create_snapshot(snapshot))

    def from_snapshot(self, snapshot, pool, size):
        volume = self.volume(pool, size)
        return self.made(volume, self.driver.create_volume_from_snapshot(volume, self.known[snapshot]))

    def clone(self, volume, pool, size):
        clone = self.volume(pool, size)
        return self.made(clone, self.driver.create_cloned_volume(clone, self.known[volume]))

    def revert(self, volume, snapshot):
        self.driver.revert_to_snapshot(self.context, self.known[volume], self.known[snapshot])

    def delete(self, volume):
        self.driver.delete_volume(self.known[volume])

    def delete_snapshot(self, snapshot):
        self.driver.delete_snapshot(self.known[snapshot])

    def statistics(self):
        return self.driver.get_volume_stats(refresh=True)

    def connection(self, volume, limits):
        """What the driver hands to the host that is to have the volume, with limits as a volume type's QoS gives them."""
        connection = self.driver.initialize_connection(self.known[volume], CONNECTOR)
        assert connection['driver_volume_type'] == 'scaleio', connection
        return {**connection['data'], **limits}

    def attach(self, volume, limits):
        return self.brick.connect_volume(self.connection(volume, limits))['path']

    def attached_size(self, volume):
        return self.brick.extend_volume(self.connection(volume, {}))

    def detach(self, volume):
        self.brick.disconnect_volume(self.connection(volume, {}), None)
        self.driver.terminate_connection(self.known[volume], CONNECTOR)


def answer(host, do, **details):
    try:
        return {'done': getattr(host, do)(**details)}
    except Exception as failure:  # whatever it is: who asked is to judge it
        return {'failed': type(failure).__name__, 'message': str(failure)}


with open(sys.argv[1], encoding='utf-8') as file:
    told = Host(**json.load(file))
print(json.dumps({'done': 'ready'}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(told, **json.loads(line))), flush=True)
