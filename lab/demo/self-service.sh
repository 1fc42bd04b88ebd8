#!/bin/sh
# Writes to /data for ever, and has the API give it what it lacks; API, TOKEN, NAME and POOL come from the environment.
post() { wget -q -O /dev/null --header "Authorization: Bearer $TOKEN" --header 'Content-Type: application/json' \
  --header "Idempotency-Key: $NAME-$n" --post-data "$2" "$API$1" && echo "asked for $1 $2: granted"; }
pool() { wget -q -O - --header "Authorization: Bearer $TOKEN" "$API/pools" | sed "s/.*\"name\":\"$POOL\"[^}]*\"usedPercent\":\([0-9]*\).*/\1/"; }
hundredths() { cut -d ' ' -f 1 /proc/uptime | tr -d .; }
n=0 iops=20 size=8
while n=$((n + 1)) && sleep 0.2; do
  begin=$(hundredths)
  dd if=/dev/zero of=/data/log bs=4k count=1 conv=fsync 2>/dev/null || exit 1
  ms=$((($(hundredths) - begin) * 10))
  full=$(df -k /data | awk 'END { print int($3 * 100 / $2) }')
  gib=$(df -k /data | awk 'END { print int($2 / 1048576 + 0.9) }')
  echo "write $n took $ms ms, $full % of $gib GiB full, pool $(pool) % full"
  if [ "$ms" -gt 60 ]; then iops=$((iops * 2)) && post "/volumes/$NAME/limit" "{\"iops\":$iops}"; fi
  if [ "$full" -gt 80 ] && [ "$gib" -ge "$size" ]; then size=$((size + 8)) && post "/volumes/$NAME/grow" "{\"size\":\"${size}GiB\"}"; fi
  if [ "$(pool)" -gt 80 ]; then post "/pools/$POOL/disks" '{}'; fi
  if [ "$full" -lt 90 ]; then fallocate -l 256M /data/kept.$n || exit 1; fi
done
