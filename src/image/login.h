/* login.h - does a registry take a login? */
#pragma once
struct err;
struct image_invocation;

/* Verb "login": a registry; the login is the invocation's credentials. ERR_PERMISSION: refused. */
int image_login_verb(const struct image_invocation *invocation, struct err *e);
