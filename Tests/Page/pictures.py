"""Pictures as the server sends them, for the tests."""
import copy
import datetime


def rows(key, pairs):
    return [{key: name, 'units': units} for name, units in pairs]


def running(units):
    total, result = 0, []
    for value in units:
        total += value
        result.append(total)
    return result


HOURS = range(8, 17)
UNITS = [12, 14, 15, 13, 12, 6, 15, 16, 11]
PLAN = [13, 27, 41, 55, 65, 72, 86, 100, 110]
CONCERNS = [31, 20, 29, 29, 22, 25, 20, 23, 10]
ZONES = [(9, 171), (10, 164), (29, 160), (42, 131), (11, 129), (54, 127), (57, 124), (33, 120), (58, 120), (75, 120),
         (71, 117), (74, 117), (72, 116), (73, 116), (55, 114), (27, 87), (14, 83), (5, 75), (59, 39), (35, 24),
         (8, 10), (12, 10), (32, 10), (34, 8), (4, 3), (36, 3), (20, 1), (26, 1)]
NOK_ZONES = [(2, 27), (64, 15), (74, 13), (73, 8), (57, 7), (72, 6), (70, 5), (4, 4), (22, 4), (29, 4),
             *[(zone, 2) for zone in (1, 54, 58, 71, 75)], *[(zone, 1) for zone in (7, 17, 40, 55, 61, 62, 65)]]
POINTS = [(62, 17), (43, 16), (61, 13), (28, 7), (32, 6), (64, 5), (126, 5), (127, 5), (45, 4), (63, 4), (29, 3),
          (44, 3), (60, 3), *[(point, 2) for point in (5, 50, 79, 85, 128)],
          *[(point, 1) for point in (7, 57, 67, 84, 87, 93, 125)]]

REFERENCE = {
    'version': '0.2.0',
    'now': '2020-05-27T16:41:12',
    'replayed': True,
    'day': '2020-05-27',
    'days': ['2020-05-27', '2020-05-26', '2020-05-25'],
    'tiles': {
        'total': 114,
        'nok': 88,
        'share': {'produced': 114, 'without_concern': 71},
        'units_per_hour': rows('hour', zip(HOURS, UNITS)),
        'current_production': [
            {'hour': hour, 'units': units, 'plan': plan} for hour, units, plan in zip(HOURS, running(UNITS), PLAN)],
        'plan': rows('hour', zip(HOURS, PLAN)),
        'units_per_zone': rows('zone', ZONES),
        'nok_per_zone': rows('zone', NOK_ZONES),
        'not_ok_by_point': rows('point', POINTS),
        'concerns_per_hour': rows('hour', zip(HOURS, CONCERNS)),
    },
    'data': {'last_message': '2026-11-30T12:59:59-06:00', 'lag': 0, 'rows_per_second': 12.5, 'dead_letters': 3,
             'waits': []},
}


def reference(**changes):
    """The reference day. A name with __ reaches into a member: tiles__total=115."""
    picture = copy.deepcopy(REFERENCE)
    for name, value in changes.items():
        place = picture
        *path, last = name.split('__')
        for member in path:
            place = place[member]
        place[last] = value
    return picture


def until(hour, now):
    """The reference day while it is going on: produced up to an hour, the plan for all of it."""
    picture = reference(now=now, replayed=False)
    for name in ('units_per_hour', 'current_production', 'concerns_per_hour'):
        picture['tiles'][name] = [row for row in picture['tiles'][name] if row['hour'] <= hour]
    total = picture['tiles']['current_production'][-1]['units']
    picture['tiles'].update(total=total, share={'produced': total, 'without_concern': total * 2 // 3})
    return picture


def empty(day='2020-05-26'):
    picture = reference(day=day)
    picture['tiles'] = {
        'total': 0, 'nok': 0, 'share': {'produced': 0, 'without_concern': 0}, 'units_per_hour': [],
        'current_production': [], 'plan': [], 'units_per_zone': [], 'nok_per_zone': [], 'not_ok_by_point': [],
        'concerns_per_hour': []}
    return picture


def large():
    """Five digits everywhere, and the longest age."""
    longest = datetime.timedelta(hours=47, minutes=58)
    last = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=-6))) - longest
    picture = reference(data__last_message=last.isoformat(timespec='seconds'), data__dead_letters=12345,
                        data__lag=98765, data__rows_per_second=54321.5)
    tiles = picture['tiles']
    tiles.update(total=98765, nok=87654, share={'produced': 98765, 'without_concern': 76543})
    for name in ('units_per_hour', 'current_production', 'plan', 'units_per_zone', 'nok_per_zone', 'not_ok_by_point',
                 'concerns_per_hour'):
        for place, row in enumerate(tiles[name]):
            row['units'] = 98765 - 77 * place
            if 'plan' in row:
                row['plan'] = 98765 - 70 * place
    return picture


def all_hours():
    """Three shifts: each of the 24 hours."""
    picture = reference(now='2020-05-27T22:10:00', replayed=False)
    units = [10 + hour * 7 % 13 for hour in range(24)]
    picture['tiles'].update(
        total=sum(units), share={'produced': sum(units), 'without_concern': 99},
        units_per_hour=rows('hour', enumerate(units)), concerns_per_hour=rows('hour', enumerate(units)),
        current_production=[{'hour': hour, 'units': total, 'plan': 15 * hour + 15}
                            for hour, total in enumerate(running(units))],
        plan=rows('hour', ((hour, 15 * hour + 15) for hour in range(24))))
    return picture


def unknown():
    """What the server does not know is null."""
    return reference(
        tiles__total=None, tiles__nok=None, tiles__share={'produced': None, 'without_concern': None},
        data={'last_message': None, 'lag': None, 'rows_per_second': None, 'dead_letters': None,
              'waits': ['waiting for the lock of table ucp', 'waiting for broker 2']})
