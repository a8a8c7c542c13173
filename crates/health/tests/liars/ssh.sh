#!/bin/sh
# An ssh that lies as its destination says, which is the last word of its arguments. It says
# what OpenSSH 9 says with `-W` and `LogLevel=DEBUG2`, as far as that is listened to.
for manner; do :; done

# The machine has let us in, and asks for the connection.
entered() { echo "debug1: channel 0: new stdio-forward [stdio-forward] (inactive timeout: 0)" >&2; }
opened() {
  entered
  echo "debug2: channel 0: open confirm rwindow 2097152 rmax 32768" >&2
}
# … and something was asked over it.
asked() {
  opened
  read -r _
}
failed() {
  entered
  echo "channel 0: open failed: $1" >&2
  echo "stdio forwarding failed" >&2
  exit 255
}

case "$manner" in
  honest)
    asked
    printf 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK'
    cat >/dev/null
    ;;
  mute) cat >/dev/null ;;
  ends) exit 255 ;;
  refuses)
    echo "debug1: Authentications that can continue: publickey" >&2
    echo "ops@mute: Permission denied (publickey)." >&2
    exit 255
    ;;
  lines) yes "debug1: Remote: forced command" >&2 ;;
  a-line) yes "debug1: Remote: forced command" | tr -d '\n' >&2 ;;
  unasked)
    echo "channel 0: open failed" >&2
    echo "debug2: channel 1: open confirm rwindow 2097152 rmax 32768" >&2
    exit 255
    ;;
  enters)
    entered
    cat >/dev/null
    ;;
  nobody) failed "connect failed: Connection refused" ;;
  late) failed "connect failed: Connection timed out" ;;
  elsewhere) failed "connect failed: No route to host" ;;
  forbidden) failed "administratively prohibited: open failed" ;;
  silent)
    opened
    cat >/dev/null
    ;;
  closes) opened ;;
  breaks)
    asked
    printf 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'
    ;;
  another)
    asked
    printf 'SSH-2.0-OpenSSH_9.2p1\r\n'
    cat >/dev/null
    ;;
  floods)
    asked
    printf 'HTTP/1.1 200 OK\r\n\r\n'
    yes
    ;;
  talks)
    opened
    yes "debug2: channel 0: window 2097152 sent adjust" >&2
    ;;
esac
