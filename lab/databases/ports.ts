export type Kind = 'redis' | 'etcd' | 'mariadb';

/** Where each server listens. */
export const PORTS: Readonly<Record<Kind, number>> = { redis: 6379, etcd: 2379, mariadb: 3306 };
