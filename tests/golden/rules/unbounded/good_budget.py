"""A budget bounds each turn."""

from pydantic import BaseModel

from parti import (
    Budget,
    System,
)

desk = System("desk")


class Job(BaseModel):
    id: str
    left: int


jobs = desk.topic("jobs", Job, key="id")
reviews = desk.topic("reviews", Job, key="id")


@desk.on(jobs, to=reviews, budget=Budget(usd=0.1))
async def work(job: Job) -> Job:
    return job


@desk.on(reviews)
async def again(job: Job) -> None:
    if job.left:
        await jobs.publish(job)
