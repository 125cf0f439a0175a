/* The loop. Every client has one question in hand at most: what it sends beyond stays in the kernel until it has read its answer, so that
 * memory is bounded, and one that does not read cannot hold up another. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "server.h"
#include "system-calls.h"

/* Half a message, or an answer that is not being read. */
#define JM_STALLED_NS (3 * JM_SECOND_NS)
/* A client that asks nothing, while others wait for its place; and while none do. */
#define JM_CROWDED_NS (3 * JM_SECOND_NS)
#define JM_IDLE_NS (600 * JM_SECOND_NS)
/* The C library interrupts every thread when the program changes its user or group. One may be changed right after the other, and that
 * interruption may come between looking and waiting: so for a while it is looked at again and again. */
#define JM_WATCH_NS JM_SECOND_NS
#define JM_WATCH_STEP_NS (JM_SECOND_NS / 50)
/* Until it is tried again where the system had no room for one more client. */
#define JM_NO_ROOM_NS JM_SECOND_NS

int64_t jm_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * JM_SECOND_NS + now.tv_nsec;
}

static bool jm_answers(const struct jm_client *client) { return client->sent < client->answer.used; }

static void jm_close_client(struct jm_server *server, size_t at) {
  struct jm_client *client = server->clients[at];
  jm_close(client->descriptor);
  jm_buffer_free(&client->answer);
  jm_free_pages(client, sizeof *client);
  server->clients[at] = server->clients[--server->count];
}

/* The same user, or root: whoever else gets here was let through the folder by mistake. */
static bool jm_may_ask(int descriptor) {
  struct ucred peer;
  return jm_peer(descriptor, &peer) == 0 && (peer.uid == 0 || peer.uid == jm_geteuid());
}

/* False where the system has no room for one more. */
static bool jm_accept_all(struct jm_server *server, int64_t now) {
  while (server->count < JM_CLIENTS_MAX) {
    int descriptor = jm_accept(server->socket.listener);
    if (descriptor == -1 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (descriptor == -1) return errno == EAGAIN;
    if (!jm_may_ask(descriptor)) {
      jm_close(descriptor);
      continue;
    }
    struct jm_client *client = jm_pages(sizeof *client);
    if (!client) {
      jm_close(descriptor);
      return false;
    }
    client->descriptor = descriptor;
    client->since_ns = now;
    server->clients[server->count++] = client;
  }
  return true;
}

/* Whether a question is there to be answered; *header and *whole are its own. What is none makes the client lost. */
static bool jm_has_question(struct jm_client *client, struct jm_wire_header *header, size_t *whole) {
  if (client->lost || client->received < sizeof *header) return false;
  memcpy(header, client->question, sizeof *header);
  if (header->magic != JM_WIRE_MAGIC) {
    client->lost = true;
    client->received = 0;
    return false;
  }
  *whole = sizeof *header;
  /* Answered by its header alone, and then nothing more is read. */
  if (header->length > JM_WIRE_QUESTION_MAX) return true;
  *whole += header->length;
  return client->received >= *whole;
}

/* One turn of a client: sends, or answers, or receives. False: it is to be closed. */
static bool jm_turn(struct jm_server *server, struct jm_client *client, int64_t now) {
  struct jm_wire_header header;
  size_t whole;
  if (!jm_answers(client) && !jm_has_question(client, &header, &whole)) {
    if (client->ended || client->lost) return false;
    ssize_t got = jm_receive(client->descriptor, client->question + client->received,
                             sizeof client->question - client->received);
    if (got == -1) return errno == EAGAIN || errno == EINTR;
    if (got == 0) client->ended = true;
    /* Half a message has as long as the first of its bytes gives it. */
    if (client->received == 0) client->since_ns = now;
    client->received += (size_t)got;
  }
  if (!jm_answers(client) && jm_has_question(client, &header, &whole)) {
    client->lost = header.length > JM_WIRE_QUESTION_MAX;
    jm_answer(server, client, &header, client->question + sizeof header);
    if (client->answer.failed) return false;
    /* It may have taken long. */
    now = jm_now_ns();
    client->received -= whole;
    memmove(client->question, client->question + whole, client->received);
    client->since_ns = now;
  }
  if (jm_answers(client)) {
    ssize_t sent = jm_send(client->descriptor, client->answer.data + client->sent, client->answer.used - client->sent);
    if (sent == -1) return errno == EAGAIN || errno == EINTR;
    client->sent += (size_t)sent;
    client->since_ns = now;
    if (!jm_answers(client)) {
      jm_buffer_clear(&client->answer);
      client->sent = 0;
    }
  }
  return jm_answers(client) || jm_has_question(client, &header, &whole) || !(client->ended || client->lost);
}

static int64_t jm_deadline(const struct jm_server *server, const struct jm_client *client) {
  bool stalled = jm_answers(client) || client->received > 0;
  bool crowded = server->count == JM_CLIENTS_MAX;
  return client->since_ns + (stalled ? JM_STALLED_NS : crowded ? JM_CROWDED_NS : JM_IDLE_NS);
}

/* Fills the list of what to wait for: listener, waker, clients. Gives for how long, in milliseconds. */
static int jm_prepare(struct jm_server *server, struct pollfd *list, int64_t accept_at, int64_t now) {
  int64_t until = now < server->watch_until_ns ? now + JM_WATCH_STEP_NS : INT64_MAX;
  bool accepts = server->count < JM_CLIENTS_MAX && now >= accept_at;
  if (server->count < JM_CLIENTS_MAX && !accepts && until > accept_at) until = accept_at;
  list[0] = (struct pollfd){.fd = accepts ? server->socket.listener : -1, .events = POLLIN};
  list[1] = (struct pollfd){.fd = server->waker, .events = POLLIN};
  for (size_t i = 0; i < server->count; i++) {
    struct jm_client *client = server->clients[i];
    struct jm_wire_header header;
    size_t whole;
    int64_t deadline = jm_deadline(server, client);
    if (!jm_answers(client) && jm_has_question(client, &header, &whole)) deadline = now;
    if (until > deadline) until = deadline;
    list[2 + i] = (struct pollfd){.fd = client->descriptor, .events = jm_answers(client) ? POLLOUT : POLLIN};
  }
  /* Nobody could wake it. */
  if (server->waker == -1 && until > now + JM_SECOND_NS / 10) until = now + JM_SECOND_NS / 10;
  if (until == INT64_MAX) return -1;
  /* Rounded up: not to wake before it is time. */
  return until <= now ? 0 : (int)((until - now + 999999) / 1000000);
}

enum jm_end jm_serve(struct jm_server *server) {
  struct pollfd list[2 + JM_CLIENTS_MAX];
  int64_t accept_at = 0;
  enum jm_end end = JM_END_FAILED;
  for (;;) {
    int64_t now = jm_now_ns();
    size_t count = server->count;
    int timeout = jm_prepare(server, list, accept_at, now);
    int ready = jm_poll(list, 2 + count, timeout);
    int error = errno;
    /* The program may have added a filter for all its threads. */
    if (jm_filters(server->status) != server->filters) jm_server_vanish();
    if (ready == -1 && error != EINTR) break;
    end = JM_END_TOLD;
    if (server->is_over()) break;
    /* Somebody else uses the signal after all; it stays pending, and is theirs. */
    if (ready > 0 && list[1].revents) server->waker = -1;
    end = JM_END_OTHER_USER;
    if (jm_geteuid() != server->socket.user) break;
    end = JM_END_FAILED;
    if (ready == -1) {
      /* Not from where the wait began, which may be long ago. */
      server->watch_until_ns = jm_now_ns() + JM_WATCH_NS;
      continue;
    }
    if (list[0].revents & ~POLLIN) break;

    now = jm_now_ns();
    /* Backwards: closing a client puts the last one in its place. */
    for (size_t i = count; i-- > 0;) {
      struct jm_client *client = server->clients[i];
      struct jm_wire_header header;
      size_t whole;
      bool due = list[2 + i].revents || (!jm_answers(client) && jm_has_question(client, &header, &whole));
      bool stays = due ? jm_turn(server, client, now) : now < jm_deadline(server, client);
      if (!stays) jm_close_client(server, i);
    }
    if (list[0].revents) accept_at = jm_accept_all(server, now) ? 0 : now + JM_NO_ROOM_NS;
  }
  while (server->count > 0) jm_close_client(server, server->count - 1);
  return end;
}
