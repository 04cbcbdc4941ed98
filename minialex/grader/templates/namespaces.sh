# sh -c SCRIPT sh DISK USER FOLDER [FILE PLACE]... -- COMMAND...        in new namespaces, made by unshare (see sandbox.py)
#
# Runs the command in a file tree in memory that shows each file or folder at its place, outer ones first, read-only; only /tmp
# can be written to. DISK: bytes of it. USER: a user id, or "" without administrator's rights. FOLDER: where the command starts.
set -e
umask 022
disk=$1 user=$2 folder=$3
shift 3

show() {
    if [ -d "$1" ]; then
        mkdir -p "tree$2"
    else
        mkdir -p "tree${2%/*}"
        [ -e "tree$2" ] || : > "tree$2"
    fi
    mount -o "$3" "$1" "tree$2"
}

mount -t tmpfs -o "nosuid,nodev,size=$disk,mode=755" tmpfs tree
while [ "$1" != -- ]; do
    show "$1" "$2" rbind,ro
    shift 2
done
shift
for device in null zero urandom random; do
    show "/dev/$device" "/dev/$device" bind
done
mkdir -p tree/tmp tree/dev/shm tree/proc
chmod 1777 tree/tmp
mount --bind tree/tmp tree/dev/shm
mount -t proc -o nosuid,nodev proc tree/proc 2>&- || :
cd tree
pivot_root . .
umount -l .
cd "$folder"
umask 077
exec 3<&0 <&-
# The first process there must be another one: signals mean nothing to it.
setpriv ${user:+--reuid "$user" --regid "$user" --clear-groups} --bounding-set=-all --inh-caps=-all --no-new-privs \
    "$@" <&3 3<&- &
exec 3<&-
wait $!
