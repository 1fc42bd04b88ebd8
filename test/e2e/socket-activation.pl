#!/usr/bin/perl
# Plays systemd's part in socket activation [sd_listen_fds(3)]: makes the socket, starts the program when somebody
# connects, and waits for the next connection when it has ended.
# Usage: socket-activation.pl SOCKET PROGRAM ARGUMENT...
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX ();

my $path = shift @ARGV;
unlink $path;
umask 0177;
$^F = 20;    # descriptors that a program inherits
my $socket = IO::Socket::UNIX->new(Local => $path, Listen => 1024) or die "cannot listen on $path: $!";

while (1) {
    my $connected = '';
    vec($connected, fileno($socket), 1) = 1;
    select($connected, undef, undef, undef);
    my $pid = fork();
    die "cannot fork: $!" unless defined $pid;
    if ($pid == 0) {
        POSIX::dup2(fileno($socket), 3) or die "cannot hand over the socket: $!";
        @ENV{qw(LISTEN_FDS LISTEN_PID)} = (1, $$);
        exec @ARGV or die "cannot start $ARGV[0]: $!";
    }
    waitpid($pid, 0);
}
