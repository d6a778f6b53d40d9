/* carry.h - the bytes of one connection, from socket to socket. */
#pragma once

/* Both ways, until both have ended or one breaks. The bytes go through pipes by splice(2), and so
 * are not copied into this process. */
void proxy_carry(int client, int server);
