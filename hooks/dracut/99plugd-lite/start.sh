#!/bin/sh
# Before udevd starts. Where it fails, udevd loads what it would have loaded.
plugd-lite coldplug -q -t 30 || :
