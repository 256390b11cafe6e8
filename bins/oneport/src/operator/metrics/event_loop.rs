//! What the event loop counts.

use std::fmt;

use oneport_io::Stats;

use super::exposition::Exposition;

pub(super) fn encode(stats: &Stats, out: &mut Exposition<'_>) -> fmt::Result {
    let Stats {
        turns: _,
        turn_max,
        turn_time,
        turns_spun,
        timeouts,
        datagrams_in,
        bytes_in,
        batches_in,
        recv_errors,
        datagrams_unanswerable,
        datagrams_out,
        bytes_out,
        batches_out,
        sends_blocked,
        send_drops,
        send_errors,
        trains_refused,
        commands,
        commands_expired,
        tcp_accepted,
        tcp_accept_errors,
        tcp_handed_over,
        tcp_silent,
        tcp_unknown,
        tcp_evicted,
        tcp_framed,
        frame_reads,
        frames_in,
        frame_bytes_in,
        frames_out,
        frame_bytes_out,
        frames_dropped,
        framed_ended,
        framed_malformed,
        framed_unanswered,
        framed_stalled,
        framed_refused,
    } = *stats;
    let help = "How long turns of the event loop take: for as long, what arrives has to wait. The rate of \
                the sum is how busy the loop is.";
    out.durations("oneport_loop_turn", help, &turn_time)?;
    let help = "The longest turn.";
    out.seconds("oneport_loop_turn_max", help, turn_max)?;
    let help = "Turns that were slowed down because nothing came of them: a bug.";
    out.counter("oneport_loop_spins", help, turns_spun)?;
    let help = "Turns in which a time was up.";
    out.counter("oneport_loop_timeouts", help, timeouts)?;
    let help = "Questions to the loop by whether it carried them out, or their asker had given up.";
    let results = [("done", commands), ("expired", commands_expired)];
    out.counters("oneport_loop_commands", help, "result", results)?;

    let help = "Datagrams received over UDP.";
    out.counter("oneport_udp_received_datagrams", help, datagrams_in)?;
    out.bytes_counter(
        "oneport_udp_received",
        "Payload received over UDP.",
        bytes_in,
    )?;
    let help = "Receive calls that brought datagrams.";
    out.counter("oneport_udp_receive_calls", help, batches_in)?;
    let help = "Receive calls that failed.";
    out.counter("oneport_udp_receive_errors", help, recv_errors)?;
    let help = "Datagrams that could not be answered: from port 0, or to an unknown address.";
    out.counter("oneport_udp_unanswerable", help, datagrams_unanswerable)?;
    let help = "Datagrams sent over UDP; over deliveries, it is packets per delivery.";
    out.counter("oneport_udp_sent_datagrams", help, datagrams_out)?;
    out.bytes_counter("oneport_udp_sent", "Payload sent over UDP.", bytes_out)?;
    let help = "Send calls, each for a datagram or a train of them.";
    out.counter("oneport_udp_send_calls", help, batches_out)?;
    let help = "Send calls that found the kernel's buffer full.";
    out.counter("oneport_udp_sends_blocked", help, sends_blocked)?;
    let help = "Datagrams that were dropped because too many waited for the kernel.";
    out.counter("oneport_udp_send_drops", help, send_drops)?;
    let help = "Datagrams that the kernel refused.";
    out.counter("oneport_udp_send_errors", help, send_errors)?;
    let help = "Trains that the kernel refused, sent again one by one.";
    out.counter("oneport_udp_trains_refused", help, trains_refused)?;

    let help = "TCP connections that were accepted.";
    out.counter("oneport_tcp_accepted", help, tcp_accepted)?;
    let help = "Failures to accept a TCP connection: too many open files, mostly.";
    out.counter("oneport_tcp_accept_errors", help, tcp_accept_errors)?;
    let help = "TCP connections by what their first bytes showed: signaling, ICE; or closed because they \
                were silent, spoke something unknown, or made room for another.";
    let kinds = [
        ("signaling", tcp_handed_over),
        ("ice", tcp_framed),
        ("silent", tcp_silent),
        ("unknown", tcp_unknown),
        ("evicted", tcp_evicted),
    ];
    out.counters("oneport_tcp_sorted", help, "as", kinds)?;

    let help = "Datagrams received over ICE-TCP.";
    out.counter("oneport_ice_tcp_received_datagrams", help, frames_in)?;
    let help = "Payload received over ICE-TCP.";
    out.bytes_counter("oneport_ice_tcp_received", help, frame_bytes_in)?;
    let help = "Read calls on connections of ICE-TCP.";
    out.counter("oneport_ice_tcp_reads", help, frame_reads)?;
    let help = "Datagrams queued on connections of ICE-TCP.";
    out.counter("oneport_ice_tcp_sent_datagrams", help, frames_out)?;
    let help = "Bytes sent over ICE-TCP, framing included.";
    out.bytes_counter("oneport_ice_tcp_sent", help, frame_bytes_out)?;
    let help = "Datagrams dropped because too many waited for a peer of ICE-TCP, or it was gone.";
    out.counter("oneport_ice_tcp_drops", help, frames_dropped)?;
    let help = "Connections of ICE-TCP that have ended, by why.";
    let ends = [
        ("by_peer", framed_ended),
        ("malformed", framed_malformed),
        ("unanswered", framed_unanswered),
        ("stalled", framed_stalled),
        ("too_many", framed_refused),
    ];
    out.counters("oneport_ice_tcp_ends", help, "why", ends)
}
